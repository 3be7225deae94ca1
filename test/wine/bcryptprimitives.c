/*
 * Stands in for the library from which Go takes its random numbers, which
 * Wine 8 has not: they come from where older versions of Go took them.
 */
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n)
{
	while (n > 0) {
		ULONG part = n > 0x10000000 ? 0x10000000 : (ULONG)n;
		if (!SystemFunction036(data, part))
			return FALSE;
		data += part;
		n -= part;
	}
	return TRUE;
}
